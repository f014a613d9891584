{{ goal_mart(
    'connected',
    [
        'trust_in_neighbours',
        'chat_to_neighbours',
        'help_if_needed',
        'company_if_wanted',
    ]
) }}
