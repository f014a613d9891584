{{ goal_mart(
    'equitable',
    [
        'promising_prospects',
        'conditions_of_childhood',
        'youth_labour_market',
        'innovation_and_growth',
    ]
) }}
