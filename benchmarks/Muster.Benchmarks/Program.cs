// The parts of a room message's path, each alone:
// dotnet run -c Release --project benchmarks/Muster.Benchmarks -- --filter '*'
using BenchmarkDotNet.Running;
using Muster.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(RoomMessage).Assembly).Run(args);
