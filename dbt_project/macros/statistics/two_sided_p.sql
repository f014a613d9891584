{#
  Two-sided p value of a standard normal z. Rational approximation of the normal tail by
  Hart and others (1968, no. 5666) in the form of West (2005), good to about 1e-15; beyond
  |z| = 7.07 a continued fraction. Engines differ in whether they have erf, so neither is needed.
#}
{% macro two_sided_p(z) -%}
    {%- set x = "abs(" ~ z ~ ")" -%}
    case
        when {{ z }} is null then null
        when {{ x }} > 37 then 0.0
        when {{ x }} < 7.07106781186547
            then 2.0 * exp(-{{ x }} * {{ x }} / 2) * (
                ((((((3.52624965998911e-02 * {{ x }} + 0.700383064443688)
                * {{ x }} + 6.37396220353165) * {{ x }} + 33.912866078383)
                * {{ x }} + 112.079291497871) * {{ x }} + 221.213596169931)
                * {{ x }} + 220.206867912376)
            ) / (
                (((((((8.83883476483184e-02 * {{ x }} + 1.75566716318264)
                * {{ x }} + 16.064177579207) * {{ x }} + 86.7807322029461)
                * {{ x }} + 296.564248779674) * {{ x }} + 637.333633378831)
                * {{ x }} + 793.826512519948) * {{ x }} + 440.413735824752)
            )
        else
            2.0 * exp(-{{ x }} * {{ x }} / 2) / 2.506628274631
            / ({{ x }} + 1 / ({{ x }} + 2 / ({{ x }} + 3 / ({{ x }} + 4 / ({{ x }} + 0.65)))))
    end
{%- endmacro %}
