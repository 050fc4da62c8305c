using Muster.Compare;

// ./bench: Muster beside Prosody and ejabberd on one machine in one run.
if (args is ["floor", ..]) return Floor.Serve(args[1..]);
return Options.Parse(args) is { } options ? await Comparison.RunAsync(options) : 2;
