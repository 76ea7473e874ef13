"""Types of devices that can be emulated; apart, because the emulators take seconds to import."""

HAND_TYPES = ("dynamixel", "inspire_serial", "inspire_modbus_rtu", "inspire_modbus_tcp")
GLOVE_TYPES = ("dynamixel", "doglove", "bridge")
