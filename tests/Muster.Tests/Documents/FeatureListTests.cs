using Muster.Testing;
using Muster.Tests.Tidy;

namespace Muster.Tests.Documents;

/// <summary>Every documented feature stands on docs/features.md with the tests that prove it.</summary>
public sealed class FeatureListTests
{
    const string Data = "# A comment.\n"
        + "area\tAA\tdone\tThe first\nAA-01\twhat is proved\t1\nAA-02\twhat is not\t\n"
        + "area\tBB\topen\tThe second\nBB-01\twhat is not yet\t\n";

    [Fact]
    public void The_page_says_what_the_tests_say() =>
        GeneratedDocument.Compare("docs/features.md", FeatureList.OfRepository().ToMarkdown());

    [Fact]
    public void Tests_name_rows_that_exist_and_done_areas_have_no_open_row() =>
        Assert.Empty(FeatureList.OfRepository().Problems());

    [Fact]
    public void Rows_are_unique_and_stand_in_their_areas()
    {
        var list = FeatureList.OfRepository();
        Assert.Equal(list.Rows.Select(row => row.Id).Distinct(), list.Rows.Select(row => row.Id));
        Assert.Equal(list.Areas.Select(area => area.Id), list.Rows.Select(row => row.Area).Distinct());
    }

    [Fact]
    public void Attributes_on_methods_and_classes_count()
    {
        var list = Read("""
            [Feature("BB-01")]
            class OneTests { [Fact] [Feature("AA-01")] void A() { } }
            class TwoTests { [RealPeerFact("x"), Feature("AA-01", "AA-02")] void B() => ServerProcess.StartAsync(); }
            """);
        Assert.Empty(list.Problems());
        Assert.Contains("| AA-01 | what is proved | 1 | tested | OneTests.A, TwoTests.B |\n", list.ToMarkdown());
        Assert.Contains("| BB-01 | what is not yet |  | core | OneTests |\n", list.ToMarkdown());
    }

    [Fact]
    public void What_is_not_named_or_not_known_is_told()
    {
        var list = Read("class OneTests\n{\n    [Fact]\n    [Feature(\"AA-01\", \"AA-03\")]\n    void A() { }\n}\n");
        Assert.Equal(
        [
            "tests/OneTests.cs:4: OneTests.A names AA-03, which is no row",
            "AA-01 is named by no test with a whole server: what is proved",
            "AA-02 is named by no test with a whole server: what is not",
        ], list.Problems());
        Assert.Contains("| BB-01 | what is not yet |  | open |  |\n", list.ToMarkdown());
    }

    [Theory]
    [InlineData("class OneTests { [Feature(\"AA-01\")] void A() { } }")]
    [InlineData("class OneTests { [Fact(Skip = \"later\")] [Feature(\"AA-01\")] void A() { } }")]
    [InlineData("[Feature(\"AA-01\")] class Bench { }")]
    public void What_is_no_test_proves_nothing(string source) =>
        Assert.Throws<InvalidOperationException>(() => Read(source));

    static FeatureList Read(string source) => new(Data, [new SourceFile("tests/OneTests.cs", source)]);
}
