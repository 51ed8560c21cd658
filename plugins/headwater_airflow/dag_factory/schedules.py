"""A declared schedule as Airflow's."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import AssetAll, AssetAny, CronTriggerTimetable

from headwater.domain.names import TableName
from headwater.domain.spec import Schedule
from headwater_airflow.assets import asset_of

AirflowSchedule = timedelta | CronTriggerTimetable | AssetAll | AssetAny | None


def airflow_schedule(schedule: Schedule) -> AirflowSchedule:
    """When Airflow starts a run. Windows come from state, so a schedule carries no data interval (rule 9)."""
    if schedule.every is not None:
        return schedule.every
    if schedule.cron is not None:
        return CronTriggerTimetable(schedule.cron, timezone=schedule.timezone)
    if schedule.assets:
        assets = [asset_of(TableName.parse(text)) for text in schedule.assets]
        return AssetAll(*assets) if schedule.inputs == "all" else AssetAny(*assets)
    return None


def schedule_text(schedule: Schedule) -> str:
    """When a run starts, in words."""
    if schedule.every is not None:
        return f"every {schedule.every}".removesuffix(", 0:00:00")
    if schedule.cron is not None:
        return f"by the clock, `{schedule.cron}` in {schedule.timezone}"
    if schedule.assets:
        names = ", ".join(f"`{asset}`" for asset in schedule.assets)
        return f"when {schedule.inputs} of {names} releases" if len(schedule.assets) > 1 else f"when {names} releases"
    return "when somebody triggers it"
