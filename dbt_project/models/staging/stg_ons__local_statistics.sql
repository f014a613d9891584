{{ stage_observations('ons_local_statistics') }}
