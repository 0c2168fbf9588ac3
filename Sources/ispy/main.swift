import ISpyCommands

await ISpy.start()
