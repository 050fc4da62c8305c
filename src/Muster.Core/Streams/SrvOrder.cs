namespace Muster.Core.Streams;

/// <summary>The order in which the targets of SRV records are tried (RFC 2782, "Usage rules").</summary>
public static class SrvOrder
{
    /// <summary>Orders records: those with the lowest priority number come first, and among equals chance decides,
    /// weighted.</summary>
    /// <param name="records">The records.</param>
    /// <param name="service">Priority, weight and port of one.</param>
    /// <param name="random">A number from 0 up to, and not including, the given one.</param>
    public static IEnumerable<T> Of<T>(IEnumerable<T> records,
        Func<T, (ushort Priority, ushort Weight, ushort Port)> service, Func<int, int> random)
    {
        foreach (var group in records.GroupBy(record => service(record).Priority).OrderBy(group => group.Key))
        {
            // Those of weight 0 come first: they are chosen when the number is 0, so almost never.
            var left = group.OrderBy(record => service(record).Weight != 0).ToList();
            while (left.Count > 0)
            {
                int chosen = random(left.Sum(record => service(record).Weight) + 1);
                int sum = 0;
                int index = left.FindIndex(record => (sum += service(record).Weight) >= chosen);
                yield return left[index];
                left.RemoveAt(index);
            }
        }
    }
}
