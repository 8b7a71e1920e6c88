// The page is served next to the document that it shows, whatever path a proxy puts before them.
SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  // No badge of a validator on the internet.
  validatorUrl: null,
});
