{{ stage_observations('dcms_participation') }}
