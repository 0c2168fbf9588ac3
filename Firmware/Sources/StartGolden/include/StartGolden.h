// Start-up code and memory of the program that checks recordings; it has nothing that Swift calls.
