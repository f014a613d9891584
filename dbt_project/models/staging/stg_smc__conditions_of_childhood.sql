{{ stage_observations('smc_conditions_of_childhood') }}
