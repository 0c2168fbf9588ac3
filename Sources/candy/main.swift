import CandyCommands
import Glibc

exit(await Candy.start())
