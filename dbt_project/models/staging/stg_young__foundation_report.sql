{{ stage_observations('young_foundation_report') }}
