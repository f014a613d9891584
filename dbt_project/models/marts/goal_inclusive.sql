{{ goal_mart(
    'inclusive',
    [
        'neighbourhood_belonging',
        'backgrounds_get_on',
        'pull_together',
        'civic_engagement',
    ]
) }}
