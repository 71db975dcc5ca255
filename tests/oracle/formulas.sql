-- Metrics made of metrics.

insert into readings
with found as (select * from readings),
conversions as (select * from found where metric = 'quarter_start_conversion' and n >= 4 and value > 0),
by_rate as (select * from found where metric = 'win_rate_closed_value' and value > 0),
required as (
    select '' as slice_by, '' as slice, denominator / numerator as value, denominator as numerator, numerator as denominator, n, 1 as choice from conversions where slice_by = ''
    union all
    select slice_by, slice, denominator / numerator, denominator, numerator, n, 1 from conversions where slice_by in ('horizon', 'segment')
    union all
    select 'method', 'quarter_start_conversion', denominator / numerator, denominator, numerator, n, 1
    from found where metric = 'quarter_start_conversion' and slice_by = '' and value > 0
    union all
    select 'method', 'win_rate', 1 / value, denominator, numerator, null, 1 from by_rate where slice_by = ''
    union all
    select slice_by, slice, 1 / value, denominator, numerator, null, 2 from by_rate where slice_by in ('', 'segment')
    union all
    select 'horizon', horizon, 1 / value, denominator, numerator, null, 2 from by_rate, (values ('current'), ('next'), ('in_two')) horizons (horizon) where slice_by = '')
select 'required_pipeline_coverage', slice_by, slice, value, numerator, denominator, n from required
qualify row_number() over (partition by slice_by, slice order by choice) = 1;

insert into readings
with required as (select slice as horizon, value from readings where metric = 'required_pipeline_coverage' and slice_by = 'horizon'),
gaps as (
    select look, greatest(0, round(required.value * goal, 2) - money) as value, round(required.value * goal, 2) as needed, n
    from coverage join required on required.horizon = coverage.look where segment = '' and goal > 0)
select 'pipeline_gap', 'horizon', look, value, needed, null, n from gaps
union all
select 'pipeline_gap', '', '', value, needed, null, n from gaps where look = 'next';

insert into readings
select 'sales_velocity', '', '', opportunities.value * rate.value * price.value / days.value, opportunities.value * rate.value * price.value, days.value, opportunities.n
from readings opportunities, readings rate, readings price, readings days
where opportunities.metric = 'opportunities_created' and opportunities.slice_by = '' and rate.metric = 'win_rate_cohort' and rate.slice_by = ''
    and price.metric = 'average_selling_price' and price.slice_by = '' and days.metric = 'sales_cycle_days_won' and days.slice_by = '' and days.value > 0;
