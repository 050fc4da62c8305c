using Muster.Core.Limits;
using Muster.Protocol.Addresses;

namespace Muster.Tests.Limits;

public sealed class AccessRulesTests
{
    static readonly AccessRules Rules = new(
        new Dictionary<string, IReadOnlyList<AccessPattern>>
        {
            ["local"] = [new(AccessScope.CurrentDomain, [])],
            ["ours"] = [new(AccessScope.AnyHostedDomain, [])],
            ["everyone"] = [new(AccessScope.All, [])],
            ["nobody"] = [new(AccessScope.None, [])],
            ["staff"] =
            [
                new(AccessScope.CurrentDomain, [Is(JidPart.User, "alice"), Is(JidPart.Server, "a.org")]),
                new(AccessScope.All, [Is(JidPart.Server, "b.org")]),
            ],
            ["phones"] = [new(AccessScope.All, [Glob(JidPart.Resource, "phone-?*")])],
            ["ae"] = [new(AccessScope.All, [Regexp(JidPart.User, "^a.*e")])],
        },
        new Dictionary<string, IReadOnlyList<AccessClause>>
        {
            ["local"] = [new("local", AccessValue.Allow)],
            ["ours"] = [new("ours", AccessValue.Allow)],
            ["everyone"] = [new("everyone", AccessValue.Allow)],
            ["nobody"] = [new("nobody", AccessValue.Allow)],
            ["staff"] = [new("staff", AccessValue.Allow)],
            ["phones"] = [new("phones", AccessValue.Allow)],
            ["ae"] = [new("ae", AccessValue.Allow)],
            ["not_staff"] = [new("staff", AccessValue.Deny), new("all", AccessValue.Allow)],
            ["sessions"] = [new("none", new(null, 1)), new("staff", new(null, 50)), new("all", new(null, 10))],
            ["shaper"] = [new("undefined", new("slow", null)), new("local", new("fast", null))],
        },
        ["a.org", "c.org"]);

    [Theory]
    [InlineData("all", "x@elsewhere", true)]
    [InlineData("none", "alice@a.org", false)]
    [InlineData("unheard-of", "alice@a.org", false)]
    [InlineData("local", "x@a.org", true)]
    [InlineData("local", "x@c.org", false)]
    [InlineData("ours", "x@c.org", true)]
    [InlineData("ours", "x@b.org", false)]
    [InlineData("everyone", "x@b.org", true)]
    [InlineData("nobody", "x@a.org", false)]
    [InlineData("staff", "alice@a.org/desk", true)]
    [InlineData("staff", "bob@a.org", false)]
    [InlineData("staff", "alice@c.org", false)]
    [InlineData("staff", "anyone@b.org", true)]
    [InlineData("phones", "x@y.z/phone-1", true)]
    [InlineData("phones", "x@y.z/phone-", false)]
    [InlineData("phones", "x@y.z/my-phone-1", false)]
    [InlineData("phones", "x@y.z", false)]
    [InlineData("ae", "alice@b.org", true)]
    [InlineData("ae", "bob@b.org", false)]
    [InlineData("not_staff", "alice@a.org", false)]
    [InlineData("not_staff", "bob@a.org", true)]
    public void A_rule_allows_or_denies(string rule, string who, bool allows) =>
        Assert.Equal(allows, Rules.Allows(rule, Jid.Parse(who), "a.org"));

    [Fact]
    public void The_first_clause_that_fits_gives_the_value()
    {
        Assert.Equal(50, Rules.Evaluate("sessions", Jid.Parse("alice@a.org"), "a.org").Number);
        Assert.Equal(10, Rules.Evaluate("sessions", Jid.Parse("bob@a.org"), "a.org").Number);
        Assert.Equal("fast", Rules.Evaluate("shaper", Jid.Parse("bob@a.org"), "a.org").Text);
        Assert.Equal(AccessValue.Deny, Rules.Evaluate("shaper", Jid.Parse("bob@c.org"), "a.org"));
    }

    [Fact]
    public void The_same_rule_means_other_users_for_another_domain() =>
        Assert.True(Rules.Allows("local", Jid.Parse("x@c.org"), "c.org"));

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("a*e*", "albert", true)]
    [InlineData("res???", "res12", false)]
    [InlineData("res???", "res123", true)]
    [InlineData("[ab]x", "bx", true)]
    [InlineData("[!ab]x", "bx", false)]
    [InlineData("[!ab]x", "cx", true)]
    [InlineData("[]x]y", "]y", true)]
    [InlineData("[a-c]", "b", true)]
    [InlineData("[^a]", "^", true)]
    [InlineData("a.b", "axb", false)]
    [InlineData("x", "x\n", false)]
    public void A_shell_pattern_matches_the_whole_part(string glob, string part, bool matches)
    {
        Assert.True(TextPattern.TryGlob(glob, out var pattern));
        Assert.Equal(matches, pattern.Matches(part));
    }

    [Theory]
    [InlineData("[ab")]
    [InlineData("[")]
    [InlineData("[z-a]")]
    public void A_broken_shell_pattern_is_refused(string glob) => Assert.False(TextPattern.TryGlob(glob, out _));

    [Theory]
    [InlineData("(")]
    [InlineData("(a)\\1")]
    [InlineData("(?=a)")]
    public void A_broken_or_backtracking_expression_is_refused(string text) =>
        Assert.False(TextPattern.TryRegexp(text, out _));

    [Fact]
    public void An_expression_made_to_explode_stays_fast()
    {
        Assert.True(TextPattern.TryRegexp("^(a+)+$", out var pattern));
        Assert.False(pattern.Matches(new string('a', 1000) + "b"));
    }

    static AccessCondition Is(JidPart part, string text) => new(part, TextPattern.Exactly(text));

    static AccessCondition Regexp(JidPart part, string text) =>
        TextPattern.TryRegexp(text, out var pattern) ? new(part, pattern) : throw new FormatException(text);

    static AccessCondition Glob(JidPart part, string text) =>
        TextPattern.TryGlob(text, out var pattern) ? new(part, pattern) : throw new FormatException(text);
}
