-- Departures, cancellations and delays per day, airport and carrier.
WITH departures AS (
  SELECT
    make_date(f.year, f.month, f.day) AS departure_date,
    f.origin,
    f.carrier,
    COUNT(*) AS flights,
    SUM(CASE WHEN f.dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled,
    SUM(CASE WHEN f.dep_delay > 15 THEN 1 ELSE 0 END) AS delayed,
    CAST(AVG(f.dep_delay) AS DOUBLE) AS mean_delay_minutes,
    SUM(f.distance) AS distance_miles
  FROM silver.flights.flights AS f
  GROUP BY f.year, f.month, f.day, f.origin, f.carrier
)
SELECT
  d.departure_date,
  d.origin,
  d.carrier,
  a.name AS carrier_name,
  d.flights,
  d.cancelled,
  d.delayed,
  d.mean_delay_minutes,
  d.distance_miles,
  RANK() OVER (PARTITION BY d.departure_date, d.origin ORDER BY d.flights DESC) AS rank_at_origin
FROM departures AS d
LEFT JOIN silver.flights.airlines AS a
  ON a.carrier = d.carrier AND a.is_current
