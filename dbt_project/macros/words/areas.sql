{# How an area level is called in a sentence. #}
{% macro level_in_words(level) -%}
case {{ level }}
    when 'nation' then 'England'
    when 'itl1' then 'regions'
    when 'itl2' then 'ITL2 areas'
    when 'cauth' then 'combined authorities'
    when 'utla' then 'counties'
    when 'lad' then 'local authorities'
    else {{ level }}
end
{%- endmacro %}

{# An area as a sentence names it: three areas are called West Midlands, so the kind goes with it. #}
{% macro area_in_words(name, level) -%}
case {{ level }}
    when 'cauth' then 'the ' || {{ name }} || ' Combined Authority area'
    when 'itl1' then 'the ' || {{ name }} || ' region'
    when 'itl2' then 'the ITL2 area ' || {{ name }}
    when 'utla' then 'the county of ' || {{ name }}
    -- Publishers print "Bristol, City of".
    else split_part({{ name }}, ', ', 1)
end
{%- endmacro %}
