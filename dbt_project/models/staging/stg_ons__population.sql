{{ stage_observations('ons_population') }}
