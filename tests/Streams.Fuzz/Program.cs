using System.Globalization;
using SharpFuzz;
using Streams.Fuzz;

// streams-fuzz [--target T] [--seconds N] [--seed S] [--grow] | --list | --export T FOLDER | --afl T
try
{
    return args switch
    {
        ["--list"] => List(),
        ["--export", var name, var folder] => Export(FuzzTargets.Find(name), folder),
        ["--afl", var name] => Afl(name),
        _ => Mutate(args),
    };
}
catch (FuzzException broken)
{
    Console.Error.WriteLine(broken.Message);
    if (broken.InnerException is { } inner)
    {
        Console.Error.WriteLine(inner);
    }

    return 1;
}

static int List()
{
    foreach (var target in FuzzTargets.All)
    {
        Console.WriteLine(target.Name);
    }

    return 0;
}

static int Mutate(string[] args)
{
    string Value(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
    var seconds = double.Parse(Value("--seconds", "10"), CultureInfo.InvariantCulture);
    var seed = ulong.Parse(Value("--seed", DateTime.UtcNow.Ticks.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
    var only = Value("--target", "");
    foreach (var target in only.Length == 0 ? FuzzTargets.All : [FuzzTargets.Find(only)])
    {
        var runner = new FuzzRunner(target, Corpus.Of(target)).RunCorpus();
        runner.Mutate(seed, TimeSpan.FromSeconds(seconds), grow: args.Contains("--grow"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{target.Name,-16} {runner.Inputs,10} inputs, {runner.Outcomes,5} outcomes, slowest {runner.Slowest:F1} ms, most {runner.Fattest} bytes, seed {seed}"));
    }

    return 0;
}

// Seeds and corpus as the files that afl-fuzz wants to begin with.
static int Export(FuzzTarget target, string folder)
{
    Directory.CreateDirectory(folder);
    var inputs = target.Seeds().Concat(Corpus.Of(target).Read().Select(kept => kept.Input)).ToList();
    for (var i = 0; i < inputs.Count; i++)
    {
        File.WriteAllBytes(Path.Combine(folder, $"seed-{i:000}"), inputs[i]);
    }

    return 0;
}

static int Afl(string name)
{
    FuzzTarget? target = null;
    Fuzzer.OutOfProcess.Run(stream =>
    {
        // Not before: instrumented code has nowhere to count until the fuzzer has given it its memory.
        target ??= FuzzTargets.Find(name);
        using var input = new MemoryStream();
        stream.CopyTo(input);
        target.Run(input.GetBuffer().AsSpan(0, (int)Math.Min(input.Length, target.MaxBytes)));
    });
    return 0;
}
