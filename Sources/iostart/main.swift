import IOStartCommands

IOStart.respawn()
await IOStart.start()
