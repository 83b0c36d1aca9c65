"""Ask `survey` over `channel`, `delay` after `event`, under `throttle`."""
