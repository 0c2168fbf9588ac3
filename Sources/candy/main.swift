// Filled with the command shim.
