using Muster.Server.Config;
using Muster.Testing;

namespace Muster.Tests.Config;

/// <summary>What is made from the declarations: the described file, the page, the comparison of two
/// configurations.</summary>
public sealed class ConfigDocumentTests
{
    [Fact]
    public void The_described_file_is_a_valid_one_and_changes_nothing()
    {
        var (config, problems) = ConfigCheck.Parse(ConfigDescription.ToToml());
        Assert.DoesNotContain(problems, p => p.IsError);
        Assert.NotNull(config);
        Assert.True(ConfigDiff.Between(ServerConfig.Default, config).IsEmpty);
    }

    [Fact]
    public void The_page_is_up_to_date() => GeneratedDocument.Compare("docs/config.md", ConfigDescription.ToMarkdown());

    [Fact]
    public void Every_declaration_is_complete()
    {
        foreach (var group in ConfigDescription.Groups())
        {
            Assert.NotEmpty(group.Text);
            foreach (var option in group.Options)
            {
                Assert.True(option.Text.Length > 5 && option.Text[^1] == '.', $"{option.Path}: the text is a sentence");
                Assert.True(option.Required ? option.Example is not null : option.Default is not null
                    || option.Unset is not null,
                    $"{option.Path}: says what happens without it");
                Assert.True(option.Default is null || Toml.Parse($"x = {option.Default}", "t") is not null);
            }
            Assert.Equal(group.Options.Count, group.Options.Select(o => o.Key).Distinct().Count());
        }
    }
}
