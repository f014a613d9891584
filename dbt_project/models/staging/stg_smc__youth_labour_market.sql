{{ stage_observations('smc_youth_labour_market') }}
