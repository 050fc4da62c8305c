namespace Muster.Core.RoomLogs;

// The style of pages without css_file. No "<" and no "&" in it, so that the page stays well-formed.
public static partial class RoomLogHtml
{
    const string Css = """
        :root { color-scheme: light dark; --bg: #fdfdfb; --fg: #23252b; --soft: #686d78; --line: #e6e6e1;
          --hit: #fff4c2; --hover: #f4f4ef; --link: #1f5fbf; --bad: #b3362b; --l: 48%; --c: 0.13; --ol: 0.52; }
        @media (prefers-color-scheme: dark) {
          :root { --bg: #16181d; --fg: #dcdee3; --soft: #878d99; --line: #2a2d35; --hit: #423b16; --hover: #1d2027;
            --link: #84b4ff; --bad: #ff8a7d; --l: 72%; --c: 0.11; --ol: 0.78; }
        }
        * { box-sizing: border-box; }
        html { font-size: 100%; scroll-padding-top: 4rem; }
        body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 56rem; background: var(--bg); color: var(--fg);
          font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
          overflow-wrap: anywhere; }
        a { color: var(--link); text-decoration: none; }
        a:hover { text-decoration: underline; }
        header { margin-bottom: 1.25rem; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
        .top { font-size: .875rem; }
        .roomtitle { margin: .75rem 0 0; font-size: 1.75rem; line-height: 1.25; }
        .roomjid { margin: .125rem 0 1rem; font-size: .875rem; }
        .days { display: flex; align-items: baseline; gap: .75rem; }
        .days a { padding: 0 .375rem; border-radius: .25rem; font-size: 1.125rem; }
        .days a:hover { background: var(--hover); text-decoration: none; }
        .roomdate { margin: 0; font-size: 1.0625rem; font-weight: 600; }
        .roomsubject { margin: .75rem 0; padding: .5rem .875rem; border-left: 3px solid var(--line); }
        .facts { margin-top: .75rem; font-size: .875rem; color: var(--soft); }
        .facts summary { cursor: pointer; }
        .facts dl { display: grid; grid-template-columns: max-content 1fr; gap: .125rem 1rem; margin: .5rem 0 .75rem; }
        .facts dt { grid-column: 1; }
        .facts dd { grid-column: 2; margin: 0; color: var(--fg); }
        .zone { margin: .75rem 0 0; font-size: .8125rem; color: var(--soft); }
        .l { padding: .125rem .5rem .125rem 5.75rem; text-indent: -5.25rem; border-radius: .25rem; }
        .l:hover { background: var(--hover); }
        .l:has(:target) { background: var(--hit); }
        .ts { display: inline-block; width: 5rem; text-indent: 0; color: var(--soft); font-size: .8125rem;
          font-variant-numeric: tabular-nums; }
        .mn { font-weight: 600; }
        .mn, .mne .n, .ro dd { color: hsl(var(--h) 60% var(--l)); color: oklch(var(--ol) var(--c) var(--h)); }
        .mne { font-style: italic; }
        .mj, .ml, .mnc, .mrcm { color: var(--soft); font-size: .9375rem; }
        .mk, .mb { color: var(--bad); font-size: .9375rem; }
        .msc, .msm { font-weight: 600; }
        .mj .n, .ml .n, .mnc .n { font-weight: 600; }
        footer { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .9375rem; }
        @media (max-width: 34rem) {
          .l { padding-left: .25rem; text-indent: 0; }
          .ts { width: auto; }
          .facts dl { display: block; }
        }
        @media print { .l:hover { background: none; } .facts { display: none; } }

        """;
}
