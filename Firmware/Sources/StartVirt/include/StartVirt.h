// Start-up code only; nothing to call.
