{{ stage_observations('smc_innovation_and_growth') }}
