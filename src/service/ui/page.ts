/**
 * The page of the dashboard: one script, one style, nothing from elsewhere.
 *
 * @module
 */

import { VERSION } from "../../version.ts";

/** The page; its script makes all that is seen. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cloudmesh Queue</title>
<link rel="icon" type="image/svg+xml" href="docs/favicon.svg">
<link rel="stylesheet" href="ui/page.css?v=${VERSION}">
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. The commands and the REST service do without.</noscript>
<script type="module" src="ui/page.js?v=${VERSION}"></script>
</body>
</html>
`;

/** Scripts, styles and data come from here alone, none of them inline. */
export const POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
