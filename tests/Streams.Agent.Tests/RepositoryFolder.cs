namespace Streams.Agent.Tests;

internal static class RepositoryFolder
{
    public static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("the tests run outside the repository");
    }
}
