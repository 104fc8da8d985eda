"""Whether the machine is on mains power: the one place that asks."""

import psutil


def is_on_mains() -> bool:
    """A machine without a battery is; one that cannot tell may not be."""
    sensors = getattr(psutil, "sensors_battery", None)  # not on every platform
    battery = None if sensors is None else sensors()
    return battery is None or bool(battery.power_plugged)
