namespace Streams.Schema.Tests;

public sealed class ReferencePageTests
{
    /// <summary>After a change of the declarations run this test with STREAMS_UPDATE=1 and commit the page.</summary>
    [Fact]
    public void The_page_is_what_the_declarations_say()
    {
        var writer = new StringWriter();
        ReferencePage.Write(writer);
        var path = Repository.Path("docs", "reference", "classes.md");
        if (Environment.GetEnvironmentVariable("STREAMS_UPDATE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, writer.ToString());
        }

        Assert.Equal(File.ReadAllText(path), writer.ToString());
    }
}
