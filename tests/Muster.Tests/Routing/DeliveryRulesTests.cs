using Muster.Core.Routing;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>RFC 6121 §8 and its table 1, cell by cell, against the rules in the code.</summary>
[Spec("RFC 6121", "8")]
public class DeliveryRulesTests
{
    // E refuse, S drop, O offline, D the session, M the most available, A all non-negative; as in table 1 of §8.5.
    const string Messages = """
                                      normal chat groupchat headline error
        Domain        None            E      E    E         S        S
        Domain        NegativeOnly    E      E    E         S        S
        Domain        NonNegative     E      E    E         S        S
        DomainResource None           E      E    E         S        S
        DomainResource NegativeOnly   E      E    E         S        S
        DomainResource NonNegative    E      E    E         S        S
        NoAccount     None            E      E    E         S        S
        NoAccount     NegativeOnly    E      E    E         S        S
        NoAccount     NonNegative     E      E    E         S        S
        Account       None            O      O    E         S        S
        Account       NegativeOnly    O      O    E         S        S
        Account       NonNegative     M      M    E         A        S
        Session       None            D      D    D         D        D
        Session       NegativeOnly    D      D    D         D        D
        Session       NonNegative     D      D    D         D        D
        NoSession     None            E      O    E         S        S
        NoSession     NegativeOnly    E      O    E         S        S
        NoSession     NonNegative     E      M    E         S        S
        """;

    // V to all available resources, T the subscription table, P a probe to answer.
    const string Presences = """
                       available unavailable subscribe subscribed unsubscribe unsubscribed probe error
        Domain         S         S           S         S          S           S            S     S
        DomainResource S         S           S         S          S           S            S     S
        NoAccount      S         S           S         S          S           S            P     S
        Account        V         V           T         T          T           T            P     S
        Session        D         D           T         T          T           T            P     D
        NoSession      S         S           T         T          T           T            P     S
        """;

    // H the server answers.
    const string Iqs = """
                       get set result error
        Domain         H   H   S      S
        DomainResource E   E   S      S
        NoAccount      E   E   S      S
        Account        H   H   S      S
        Session        D   D   D      D
        NoSession      E   E   S      S
        """;

    [Fact]
    public void Messages_go_where_the_table_says() => Check(Messages, 2, (row, type) => DeliveryRules.Message(
            Enum.Parse<MessageType>(type, ignoreCase: true), Enum.Parse<Recipient>(row[0]),
            Enum.Parse<Availability>(row[1])),
        Enum.GetValues<Recipient>().Length * Enum.GetValues<Availability>().Length,
        Enum.GetValues<MessageType>().Length);

    [Fact]
    public void Presence_goes_where_the_table_says() => Check(Presences, 1, (row, type) => DeliveryRules.Presence(
        Enum.Parse<PresenceType>(type, ignoreCase: true), Enum.Parse<Recipient>(row[0])),
        Enum.GetValues<Recipient>().Length, Enum.GetValues<PresenceType>().Length);

    [Fact]
    public void Iqs_go_where_the_table_says() => Check(Iqs, 1, (row, type) => DeliveryRules.Iq(
        Enum.Parse<IqType>(type, ignoreCase: true), Enum.Parse<Recipient>(row[0])),
        Enum.GetValues<Recipient>().Length, Enum.GetValues<IqType>().Length);

    static void Check(string table, int keys, Func<string[], string, Delivery> rule, int rows, int columns)
    {
        const StringSplitOptions Trim = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        var lines = table.Split('\n').Select(line => line.Split(' ', Trim)).ToArray();
        Assert.Equal(columns, lines[0].Length);
        Assert.Equal(rows, lines.Length - 1);
        Assert.Equal(rows, lines.Skip(1).Select(line => string.Join(' ', line[..keys])).Distinct().Count());
        foreach (var line in lines.Skip(1))
            for (int column = 0; column < columns; column++)
                Assert.True(Letter(rule(line, lines[0][column])) == line[keys + column],
                    $"{lines[0][column]} to {string.Join(' ', line[..keys])}: {rule(line, lines[0][column])}");
    }

    static string Letter(Delivery delivery) => delivery switch
    {
        Delivery.Session => "D",
        Delivery.MostAvailable => "M",
        Delivery.NonNegative => "A",
        Delivery.Available => "V",
        Delivery.Offline => "O",
        Delivery.Server => "H",
        Delivery.Subscription => "T",
        Delivery.Probe => "P",
        Delivery.Refuse => "E",
        _ => "S",
    };
}
