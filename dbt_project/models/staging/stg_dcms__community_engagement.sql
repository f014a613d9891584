{{ stage_observations('dcms_community_engagement') }}
