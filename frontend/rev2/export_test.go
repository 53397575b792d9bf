package rev2

// Patient is what ends streams that wait for their client.
var Patient = patient
