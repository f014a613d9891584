{{ goal_mart(
    'supportive',
    [
        'area_attractiveness',
        'arts_engagement',
        'library_engagement',
        'green_space_satisfaction',
    ]
) }}
