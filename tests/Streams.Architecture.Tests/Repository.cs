using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Xml.Linq;

namespace Streams.Architecture.Tests;

/// <summary>The source tree these tests read: project files, lock files and sources, never loaded assemblies.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every project of the tree by name, with the projects it references directly.</summary>
    public static IReadOnlyDictionary<string, Project> Projects { get; } = Directory
        .EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
        .Where(path => !IsBuildOutput(path))
        .Select(Project.Read)
        .ToDictionary(project => project.Name);

    public static IEnumerable<string> Sources(string pattern, params string[] folders) => folders
        .Select(folder => Path.Combine(Root, folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
        .Where(path => !IsBuildOutput(path));

    public static string Relative(string path) => Path.GetRelativePath(Root, path);

    /// <summary>The project and everything it reaches through project references.</summary>
    public static IReadOnlySet<string> Reach(string project)
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>([project]);
        while (open.TryPop(out var name))
        {
            if (!seen.Add(name))
            {
                continue;
            }
            foreach (var reference in Projects[name].References)
            {
                open.Push(reference);
            }
        }
        return seen;
    }

    private static bool IsBuildOutput(string path) =>
        path.Contains("/bin/") || path.Contains("/obj/") || path.Contains("/node_modules/");

    private static string FindRoot([CallerFilePath] string path = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", ".."));
}

/// <summary>One project file, read as text: what it references and which packages its restore resolved.</summary>
internal sealed record Project(string Name, string Directory, IReadOnlyList<string> References, IReadOnlySet<string> Packages)
{
    public static Project Read(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        // ReferenceOutputAssembly=false only orders the build: no type of that project can be used.
        var references = XDocument.Load(path).Descendants("ProjectReference")
            .Where(reference => (string?)reference.Attribute("ReferenceOutputAssembly") != "false")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!))
            .ToArray();
        return new Project(Path.GetFileNameWithoutExtension(path), directory, references, ReadLockFile(directory));
    }

    private static HashSet<string> ReadLockFile(string directory)
    {
        var packages = new HashSet<string>();
        using var file = File.OpenRead(Path.Combine(directory, "packages.lock.json"));
        using var document = JsonDocument.Parse(file);
        foreach (var framework in document.RootElement.GetProperty("dependencies").EnumerateObject())
        {
            foreach (var package in framework.Value.EnumerateObject())
            {
                if (package.Value.GetProperty("type").GetString() != "Project")
                {
                    packages.Add(package.Name);
                }
            }
        }
        return packages;
    }
}
