import FrankCommands

await FrankCommand.start()
