using System.Xml.Linq;
using Muster.Server.Features;
using Muster.Testing;

namespace Muster.Tests.Documents;

/// <summary>The list of specifications is written from the features, and every feature stands in it.</summary>
public sealed class SpecificationsTests
{
    [Fact]
    public void The_page_says_what_the_code_says() =>
        GeneratedDocument.Compare("docs/specs.md", Specifications.ToMarkdown());

    [Fact]
    public void The_description_of_the_project_says_it_too()
    {
        GeneratedDocument.Compare("docs/doap.xml", Specifications.ToDoap());
        Assert.Equal("RDF", XDocument.Parse(Specifications.ToDoap()).Root!.Name.LocalName);
    }

    [Fact]
    public void No_specification_stands_twice() =>
        Assert.Equal(Specifications.All.Select(s => s.Id).Distinct(), Specifications.All.Select(s => s.Id));
}
