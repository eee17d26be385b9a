"""The jobcenter's case system (jobcentrets fagsystem), over SOAP with the habits of Serviceplatformen."""
