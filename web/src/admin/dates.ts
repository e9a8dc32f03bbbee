// The API's dates are UTC without saying so.
export const utc = (date: string): string => (/Z|[+-]\d\d:\d\d$/.test(date) ? date : `${date}Z`);
