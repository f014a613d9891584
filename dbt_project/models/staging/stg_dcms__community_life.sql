{{ stage_observations('dcms_community_life') }}
