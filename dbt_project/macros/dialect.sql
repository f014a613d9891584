{#
  What DuckDB and Spark call differently: a macro has DuckDB's words by default and Spark's beside
  them. The models have no other word that only one of the two knows, but for the two that
  `spark/tables.sql` replaces.
#}

{# Days from one date to a later one. #}
{% macro days_between(earlier, later) -%}
{{ return(adapter.dispatch('days_between')(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
datediff({{ later }}, {{ earlier }})
{%- endmacro %}

{# The month of a date in words: `April`. Spark's `monthname` is `Apr`. #}
{% macro month_in_words(date) -%}
{{ return(adapter.dispatch('month_in_words')(date)) }}
{%- endmacro %}

{% macro default__month_in_words(date) -%}
monthname({{ date }})
{%- endmacro %}

{% macro spark__month_in_words(date) -%}
date_format({{ date }}, 'MMMM')
{%- endmacro %}

{# A number rounded for display, as text: `1234.5`, or `1,234.5`. Spark has a word for a missing one. #}
{% macro rounded_text(number, decimals, commas=false) -%}
{%- set rounded = round_half_up(number, decimals) -%}
{{ return(adapter.dispatch('rounded_text')(rounded, decimals, ',' if commas else '')) }}
{%- endmacro %}

{% macro default__rounded_text(number, decimals, comma) -%}
format('{:{{ comma }}.{{ decimals }}f}', {{ number }})
{%- endmacro %}

{% macro spark__rounded_text(number, decimals, comma) -%}
case when {{ number }} is not null then printf('%{{ comma }}.{{ decimals }}f', {{ number }}) end
{%- endmacro %}

{# The items of a text that a separator parts, as a list. Spark splits at a pattern. #}
{% macro items(text, separator) -%}
{{ return(adapter.dispatch('items')(text, separator)) }}
{%- endmacro %}

{% macro default__items(text, separator) -%}
string_split({{ text }}, '{{ separator }}')
{%- endmacro %}

{% macro spark__items(text, separator) -%}
split({{ text }}, '{% for character in separator %}[{{ character }}]{% endfor %}')
{%- endmacro %}

{# One row per item of such a text. #}
{% macro row_per_item(text, separator) -%}
{{ return(adapter.dispatch('row_per_item')(text, separator)) }}
{%- endmacro %}

{% macro default__row_per_item(text, separator) -%}
unnest({{ items(text, separator) }})
{%- endmacro %}

{% macro spark__row_per_item(text, separator) -%}
explode({{ items(text, separator) }})
{%- endmacro %}

{# Whether such a text has an item. #}
{% macro has_item(text, separator, item) -%}
{{ return(adapter.dispatch('has_item')(text, separator, item)) }}
{%- endmacro %}

{% macro default__has_item(text, separator, item) -%}
list_contains({{ items(text, separator) }}, {{ item }})
{%- endmacro %}

{% macro spark__has_item(text, separator, item) -%}
array_contains({{ items(text, separator) }}, {{ item }})
{%- endmacro %}

{# The texts of a group in one, in an order: by themselves where none is given. #}
{% macro joined(text, separator, order_by=none) -%}
{{ return(adapter.dispatch('joined')(text, separator, order_by or text)) }}
{%- endmacro %}

{% macro default__joined(text, separator, order_by) -%}
string_agg({{ text }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}

{% macro spark__joined(text, separator, order_by) -%}
string_agg({{ text }}, '{{ separator }}') within group (order by {{ order_by }})
{%- endmacro %}

{# The different texts of a group in one, in order. Spark's `string_agg` takes one such a query. #}
{% macro joined_distinct(text, separator) -%}
{{ return(adapter.dispatch('joined_distinct')(text, separator)) }}
{%- endmacro %}

{% macro default__joined_distinct(text, separator) -%}
string_agg(distinct {{ text }}, '{{ separator }}' order by {{ text }})
{%- endmacro %}

{% macro spark__joined_distinct(text, separator) -%}
nullif(array_join(array_sort(collect_set({{ text }})), '{{ separator }}'), '')
{%- endmacro %}
