/**
 * The documentation page: Swagger UI. All its parts are served from here; nothing is fetched from elsewhere.
 *
 * @module
 */

import { VERSION } from "../../version.ts";
import { TITLE } from "../document.ts";

/** The page. It has no script of its own, so that the policy can forbid all inline ones. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${TITLE} - Swagger UI</title>
<link rel="icon" type="image/svg+xml" href="docs/favicon.svg">
<link rel="stylesheet" href="docs/swagger-ui.css?v=${VERSION}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js?v=${VERSION}"></script>
<script src="docs/start.js?v=${VERSION}"></script>
</body>
</html>
`;

/**
 * Starts Swagger UI in the page. Left alone it would name JSON wherever there is some (an operation's first kind is
 * what it answers unasked), and colour the jobs of a big queue for half a minute.
 */
export const START = `function firstKind(original, { specSelectors }) {
  return (state, at, ...more) => {
    const kinds = specSelectors.specJson().getIn(["paths", ...at, "responses", "200", "content"]);
    return kinds?.keySeq().first() ?? original(state, at, ...more);
  };
}

function plainIfLong(Original, { React, getComponent }) {
  return (props) => {
    const { children, renderPlainText } = props;
    return renderPlainText && String(children).length > 50000
      ? renderPlainText({ children, PlainTextViewer: getComponent("PlainTextViewer") })
      : React.createElement(Original, props);
  };
}

window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  layout: "BaseLayout",
  persistAuthorization: false,
  validatorUrl: null,
  plugins: [() => ({
    statePlugins: { spec: { wrapSelectors: { currentProducesFor: firstKind } } },
    wrapComponents: { SyntaxHighlighter: plainIfLong },
  })],
});
`;

/** Three jobs in a queue, the first one runs. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">\
<rect width="16" height="16" rx="3" fill="#173647"/>\
<rect x="3" y="3" width="10" height="2.5" fill="#85ea2d"/>\
<rect x="3" y="6.8" width="10" height="2.5" fill="#9fb6c3"/>\
<rect x="3" y="10.6" width="10" height="2.5" fill="#9fb6c3"/></svg>
`;

/**
 * What the page may load and do. Swagger UI sets styles on elements, which needs inline styles; scripts are files only.
 */
export const PAGE_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
