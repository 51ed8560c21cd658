-- Departures, mean delay and weather per airport and hour.
SELECT
  f.origin,
  f.time_hour,
  COUNT(*) AS flights,
  SUM(CASE WHEN f.dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled,
  CAST(AVG(f.dep_delay) AS DOUBLE) AS mean_delay_minutes,
  MAX(w.temp_c) AS temp_c,
  MAX(w.wind_speed) AS wind_speed_mph,
  MAX(w.precip) AS precip_inches,
  MIN(w.visibility_miles) AS visibility_miles,
  CASE
    WHEN COUNT(w.origin) = 0 THEN 'unknown'
    WHEN MIN(w.visibility_miles) < 3 OR MAX(w.precip) > 0.1 THEN 'poor'
    WHEN MAX(w.wind_speed) > 25 THEN 'windy'
    ELSE 'fair'
  END AS conditions
FROM silver.flights.flights AS f
LEFT JOIN silver.weather.observations AS w
  ON w.origin = f.origin AND w.time_hour = f.time_hour
GROUP BY f.origin, f.time_hour
