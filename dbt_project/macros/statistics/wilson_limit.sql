{# Wilson's score limit in percent for an effective sample size; side is 'lower' or 'upper'. #}
{% macro wilson_limit(value, n, side) -%}
    {%- set z = confidence_z() -%}
    {{ clip(
        "(100.0 * ((" ~ value ~ ") / 100.0 + " ~ z ~ " * " ~ z ~ " / (2 * (" ~ n ~ "))"
        ~ (" - " if side == 'lower' else " + ")
        ~ z ~ " * sqrt((" ~ value ~ ") / 100.0 * (1 - (" ~ value ~ ") / 100.0) / (" ~ n ~ ")"
        ~ " + " ~ z ~ " * " ~ z ~ " / (4 * (" ~ n ~ ") * (" ~ n ~ "))))"
        ~ " / (1 + " ~ z ~ " * " ~ z ~ " / (" ~ n ~ ")))"
    ) }}
{%- endmacro %}
