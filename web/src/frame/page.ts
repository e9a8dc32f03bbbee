// The document that a mail's HTML is in: its policy, and how it looks where the mail does not say.

const STYLE = `
  html { color-scheme: light; background: #fff; }
  body { margin: 0; padding: 16px; font: 14px/1.5 system-ui, sans-serif; color: #1b2430;
         overflow-wrap: anywhere; background: #fff; }
  img { max-width: 100%; height: auto; }
  table { max-width: 100%; }
  pre { white-space: pre-wrap; }
  blockquote { margin-inline: 0 0; padding-inline-start: 12px; border-inline-start: 3px solid #d5dbe3; }
  a { color: #1f5fbf; }
  mark { border-radius: 2px; background: #ffe89a; color: #1b2430; }
  mark:target { outline: 2px solid #b45309; background: #ffc463; scroll-margin-block: 40vh; }`;

function policy(withRemote: boolean): string {
  const pictures = withRemote ? 'data: https: http:' : 'data:';
  return `default-src 'none'; style-src 'unsafe-inline'; img-src ${pictures}; form-action 'none'; base-uri 'none'`;
}

export function pageOf(body: string, withRemote: boolean): string {
  return (
    `<!doctype html><html><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${policy(withRemote)}">` +
    `<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">` +
    `<style>${STYLE}</style></head><body>${body}</body></html>`
  );
}
