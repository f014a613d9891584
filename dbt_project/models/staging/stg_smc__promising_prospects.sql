{{ stage_observations('smc_promising_prospects') }}
