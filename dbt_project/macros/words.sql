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
