import IOStartCommands

await IOStart.start()
