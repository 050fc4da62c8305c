using Muster;
using Muster.Commands;

return await new CommandLine(Terminal.OfProcess()).RunAsync(args);
