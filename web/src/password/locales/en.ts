// English
export const en = {
  rules: 'Rules for the password',
  met: '(met)',
  unmet: '(not met yet)',
  length: 'At least {min} characters',
  classes:
    'At least {min} of: A–Z, a–z, 0–9, special characters, letters without upper and lower case (such as Chinese)',
  run: 'No character more than {max} times in a row',
  name: 'Without the user name',
  product: 'Without the name of the product',
};

export type Key = keyof typeof en;
